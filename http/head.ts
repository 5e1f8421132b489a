/** HEAD requests. */
import type { Hono } from "@hono/hono";

/**
 * Lets the server answer HEAD with the headers of the response to GET. Hono would remove the body, and the server would
 * then send `Content-Length: 0`. The server itself sends no body, sends the length if it is known, and cancels streams.
 */
export function answerHead(app: Hono): void {
  const responses = new WeakMap<Request, Response>();
  app.use(async (c, next) => {
    const request = c.req.raw;
    await next();
    if (request.method === "HEAD") responses.set(request, c.res);
  });
  const { fetch } = app;
  app.fetch = async (request, ...rest) => {
    const response = await fetch(request, ...rest);
    return responses.get(request) ?? response;
  };
}

/** Body of a response to HEAD whose length is not known. */
export function unknownLength(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ pull: (controller) => controller.close() });
}
