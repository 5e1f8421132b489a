/** Events that a request has published to the platform. */
import type { CausedMessage } from "../../db/request_messages.ts";
import { Instant } from "../page.tsx";
import { capitalize, fieldLabels } from "../labels.ts";
import { MESSAGES } from "./read.ts";

export function Messages({ messages }: { messages: readonly CausedMessage[] }) {
  return (
    <>
      <h2 id="messages">Events published to the platform</h2>
      {messages.length === 0 && (
        <p class="empty">No events. They are deleted 30 days after their publication.</p>
      )}
      {messages.length > 0 && (
        <div class="scroll tall" role="region" aria-labelledby="messages" tabindex={0}>
          <table class="stacked">
            <caption>
              {messages.length > MESSAGES ? `The newest ${MESSAGES}` : "Newest first"}; events are deleted 30
              days after their publication
            </caption>
            <thead>
              <tr>
                <th scope="col">Topic</th>
                <th scope="col">Event</th>
                <th scope="col">Written</th>
                <th scope="col">Published</th>
              </tr>
            </thead>
            <tbody>
              {messages.slice(0, MESSAGES).map((message) => (
                <tr id={`message-${message.eventId}`}>
                  <th scope="row">
                    <code>{message.topic}</code>
                  </th>
                  <td data-name="Event">{describeMessage(message)}</td>
                  <td data-name="Written">
                    <Instant at={message.createdAt} />
                  </td>
                  <td data-name="Published">
                    {message.publishedAt
                      ? <Instant at={message.publishedAt} />
                      : <span class="badge">waiting</span>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function describeMessage({ topic, action, participants, changedFields }: CausedMessage): string {
  if (action !== null) return capitalize(action.toLowerCase().replaceAll("_", " ").replace(/^gdpr /, ""));
  if (participants) return `For ${participants.join(", ")}`;
  if (topic === "customer.updated") return `Changed ${fieldLabels(changedFields ?? [])}`;
  // The topic is the whole content, as in `customer.erased`.
  return capitalize(topic.replaceAll(/[._]/g, " "));
}
