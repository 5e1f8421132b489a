/** Choice of a partition by the key of an event, as Kafka's Java client chooses it. */

const text = new TextEncoder();
const SEED = 0x9747b28c | 0;
const MULTIPLIER = 0x5bd1e995;

/**
 * Returns the partition of a key. kafkajs computes the same one with integers of any size, which takes longer than the
 * rest of sending an event.
 *
 * @param count partitions of the topic
 */
export function partitionOf(key: string, count: number): number {
  return (murmur2(text.encode(key)) & 0x7fff_ffff) % count;
}

/** MurmurHash2 with 32 bits. */
function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = SEED ^ length;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    let word = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
    word = Math.imul(word, MULTIPLIER);
    word = Math.imul(word ^ word >>> 24, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  if (at < length) {
    for (let rest = length - 1; rest >= at; rest--) hash ^= bytes[rest]! << 8 * (rest - at);
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash = Math.imul(hash ^ hash >>> 13, MULTIPLIER);
  return hash ^ hash >>> 15;
}
