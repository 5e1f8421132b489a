/** Sample customers of the demo store, in addition to its two shoppers. All values are fictional. */

export interface SampleCustomer {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  phone: string;
}

const NAMES = [
  ["Wilhelmina", "Achterberg"],
  ["Ottokar", "Birnstiel"],
  ["Philippa", "Clutterbuck"],
  ["Severin", "Dillenburger"],
  ["Rosalind", "Featherstone"],
  ["Hieronymus", "Grünwald"],
  ["Clementine", "Huntingdon"],
  ["Balthasar", "Imfeld"],
  ["Josephine", "Kirchgässner"],
  ["Thaddeus", "Lindqvist"],
  ["Marguerite", "Montclair"],
  ["Leopold", "Niederhauser"],
  ["Cordelia", "Oakenshaw"],
  ["Valentin", "Pfannenstiel"],
  ["Apollonia", "Quadflieg"],
] as const;

export const SAMPLE_CUSTOMERS: readonly SampleCustomer[] = NAMES.map(([firstName, lastName], index) => ({
  id: `0190a000-0000-7000-8000-0000000002${String(index).padStart(2, "0")}`,
  email: `${firstName}.${lastName}@shop.example`.toLowerCase().replace("ü", "ue").replace("ä", "ae"),
  firstName,
  lastName,
  phone: `+4179555${String(1000 + index * 37)}`,
}));

export const HOME = {
  line1: "Lindenbühlgasse 14",
  city: "Winterthur",
  postalCode: "8400",
  country: "CH",
  isDefaultShipping: true,
  isDefaultBilling: true,
};

/** Persons without an account, whom only orders know. */
export const SAMPLE_GUESTS = {
  /** Has asked for the data by email; staff have not checked the identity yet. */
  asking: { email: "zenobia.ulmenstein@mail.example", phone: "+41795552001", locale: "de-CH" },
  /** Was erased after a letter. */
  erased: { email: "casimir.vogelsang@mail.example", phone: null, locale: "de-CH" },
  /** Has made no request: to try one. */
  unknown: { email: "lena.winter@mail.example", phone: null, locale: "en-GB" },
} as const;
