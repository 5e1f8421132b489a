/** A header list as [name, value, name, value, …]; strings hold one byte per character (latin-1). */
export type HeaderList = readonly string[];
