/** Customers of the browser tests. All values are invented, and none may be in a URL or a title. */

export interface SampleCustomer {
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
] as const;

export const SAMPLE_CUSTOMERS: readonly SampleCustomer[] = NAMES.map(([firstName, lastName], index) => ({
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

export const PERSONAL_VALUES: readonly string[] = [
  ...SAMPLE_CUSTOMERS.flatMap((customer) => Object.values(customer)),
  HOME.line1,
  HOME.city,
];
