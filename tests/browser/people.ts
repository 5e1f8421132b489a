/** The people of the browser tests. Made up, every value of it; none of them may stand in an address or a title. */

export interface Person {
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

export const PEOPLE: readonly Person[] = NAMES.map(([firstName, lastName], index) => ({
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

export const PERSONAL: readonly string[] = [
  ...PEOPLE.flatMap((person) => Object.values(person)),
  HOME.line1,
  HOME.city,
];
