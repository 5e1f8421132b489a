/** Telemetry of the actors: commands, timers and effects by kind and outcome, without IDs of customers. */
import type { ClaimedEffect, EffectOutcome } from "../../db/effects.ts";
import type { ClaimedTimer } from "../../db/timers.ts";
import { integer } from "../../telemetry/integer.ts";
import { isMetering, record, secondsSince } from "../../telemetry/metrics.ts";
import { activeTraceparent, inSpan, isTracing, SpanStatusCode } from "../../telemetry/spans.ts";
import { newTraceparent } from "../../lib/trace_context.ts";
import { asDomainError } from "../../db/errors.ts";

const KIND = "customer_service.actor.kind";
const OUTCOME = "customer_service.outcome";

/**
 * A refused command is an answer; only one that could not be decided has failed.
 *
 * @param from the caller's trace context, used if no span is active
 */
export async function watchCommand<T>(
  kind: string,
  type: string,
  from: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (!isTracing && !isMetering) return await work();
  const attributes = { [KIND]: kind, "customer_service.command.type": type };
  const started = performance.now();
  const told = (outcome: string) =>
    record("customer_service.command.duration", secondsSince(started), { ...attributes, [OUTCOME]: outcome });
  const parent = activeTraceparent() ? undefined : from;
  return await inSpan(`${kind} ${type}`, { attributes, parent, expects: isAnswer }, async (span) => {
    try {
      const answer = await work();
      told("OK");
      span.setAttribute(OUTCOME, "OK");
      return answer;
    } catch (error) {
      const outcome = asDomainError(error)?.code ?? "INTERNAL_SERVER_ERROR";
      told(outcome);
      span.setAttribute(OUTCOME, outcome);
      throw error;
    }
  });
}

function isAnswer(error: unknown): boolean {
  const code = asDomainError(error)?.code;
  return code !== undefined && code !== "UNAVAILABLE";
}

/** @param fire answers whether the timer still counted */
export async function watchTimer(timer: ClaimedTimer, fire: () => Promise<boolean>): Promise<boolean> {
  const { actorKind, event, attempts } = timer;
  const told = (outcome: string) =>
    record("customer_service.timer.fired", 1, { [KIND]: actorKind, [OUTCOME]: outcome });
  const attributes = {
    [KIND]: actorKind,
    "customer_service.timer.event": event.type,
    "customer_service.attempt": integer(attempts),
  };
  const parent = timer.traceparent ?? newTraceparent();
  return await inSpan(`timer ${event.type}`, { attributes, parent }, async (span) => {
    try {
      const outcome = await fire() ? "fired" : "late";
      told(outcome);
      span.setAttribute(OUTCOME, outcome);
      return outcome === "fired";
    } catch (error) {
      told("failed");
      throw error;
    }
  });
}

/** @param perform returns failures too, instead of throwing them */
export async function watchEffect(
  effect: ClaimedEffect,
  perform: () => Promise<EffectOutcome>,
): Promise<EffectOutcome> {
  const { type, attempts, traceparent } = effect;
  const started = performance.now();
  const attributes = { "customer_service.effect.type": type, "customer_service.attempt": integer(attempts) };
  return await inSpan(`effect ${type}`, { attributes, parent: traceparent }, async (span) => {
    const result = await perform();
    const outcome = wordFor(result);
    record("customer_service.effect.duration", secondsSince(started), {
      "customer_service.effect.type": type,
      [OUTCOME]: outcome,
    });
    span.setAttribute(OUTCOME, outcome);
    if (result.lastError !== null) span.setStatus({ code: SpanStatusCode.ERROR });
    return result;
  });
}

function wordFor({ state, lastError }: EffectOutcome): string {
  if (state === "PENDING") return lastError === null ? "more" : "failed";
  return state.toLowerCase();
}
