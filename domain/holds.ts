/** Legal holds: reasons for which the law has the store keep a customer's data in spite of an erasure. */

/**
 * Grounds of a hold: exceptions of Article 17(3) GDPR.
 *
 * - LEGAL_CLAIM: the data are needed to establish, exercise or defend a legal claim.
 * - LEGAL_OBLIGATION: a law has the store keep the data, such as a tax law.
 * - AUTHORITY_ORDER: a court or an authority has ordered the store to keep the data.
 * - PUBLIC_INTEREST: public health, archiving in the public interest or research.
 */
export const HOLD_GROUNDS = [
  "LEGAL_CLAIM",
  "LEGAL_OBLIGATION",
  "AUTHORITY_ORDER",
  "PUBLIC_INTEREST",
] as const;
export type HoldGround = (typeof HOLD_GROUNDS)[number];

/** A hold ends at most this many years after it was placed; one without an end stays until it is lifted. */
export const LONGEST_HOLD_YEARS = 30;
