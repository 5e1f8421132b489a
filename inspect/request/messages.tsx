/** What the rest of the platform has been told because of a request. */
import type { CausedMessage } from "../../db/request_messages.ts";
import { Instant } from "../page.tsx";
import { fieldWords, sentence } from "../words.ts";
import { MESSAGES } from "./read.ts";

export function Messages({ messages }: { messages: readonly CausedMessage[] }) {
  return (
    <>
      <h2 id="messages">Events told to the platform</h2>
      {messages.length === 0 && (
        <p class="empty">None is kept here any more: each goes 30 days after its publication.</p>
      )}
      {messages.length > 0 && (
        <div class="scroll tall" role="region" aria-labelledby="messages" tabindex={0}>
          <table class="stacked">
            <caption>
              {messages.length > MESSAGES ? `The newest ${MESSAGES}` : "Newest first"}; each is kept here for
              30 days after its publication
            </caption>
            <thead>
              <tr>
                <th scope="col">Topic</th>
                <th scope="col">What</th>
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
                  <td data-name="What">{whatWords(message)}</td>
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

function whatWords({ topic, action, participants, changedFields }: CausedMessage): string {
  if (action !== null) return sentence(action.toLowerCase().replaceAll("_", " ").replace(/^gdpr /, ""));
  if (participants) return `For ${participants.join(", ")}`;
  if (topic === "customer.updated") return `Changed ${fieldWords(changedFields ?? [])}`;
  // The topic says it all, as `customer.erased` does.
  return sentence(topic.replaceAll(/[._]/g, " "));
}
