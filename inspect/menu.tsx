/** Menu in the header of every page: the sections that the role may open. */
import { hasStaffRight, type StaffRight } from "../domain/staff_rights.ts";
import type { Principal } from "../domain/principal.ts";
import { type InspectContext, inStore } from "./session.ts";

interface Section {
  label: string;
  /** Path of its first page. */
  path: string;
  right: StaffRight;
  /** Paths of its pages. */
  pages: RegExp;
}

const SECTIONS: readonly Section[] = [
  {
    label: "GDPR requests",
    path: "/inspect",
    right: "READ_GDPR_REQUESTS",
    pages: /^\/inspect\/?(?:$|requests\/|retry$|open$)/,
  },
  {
    label: "Customers",
    path: "/inspect/customers",
    right: "SEARCH_CUSTOMERS",
    pages: /^\/inspect\/customers(?:$|\/)/,
  },
  { label: "Groups", path: "/inspect/groups", right: "READ_GROUPS", pages: /^\/inspect\/groups(?:$|\/)/ },
  {
    label: "Store settings",
    path: "/inspect/settings",
    right: "READ_STORE_SETTINGS",
    pages: /^\/inspect\/settings$/,
  },
  {
    label: "Record of processing",
    path: "/inspect/record-of-processing",
    right: "READ_STORE_SETTINGS",
    pages: /^\/inspect\/record-of-processing$/,
  },
];

const sectionsOf = (by: Principal) => SECTIONS.filter(({ right }) => hasStaffRight(right, by));

/** Path of the page that the person sees first; undefined for a role without pages. */
export function startPath(by: Principal): string | undefined {
  return sectionsOf(by)[0]?.path;
}

export function Menu({ c }: { c: InspectContext }) {
  const { path } = c.req;
  return (
    <nav aria-label="Sections" class="menu">
      {sectionsOf(c.var.by).map((section) => (
        <a
          href={inStore(c, section.path)}
          aria-current={path === section.path ? "page" : section.pages.test(path) ? "true" : undefined}
        >
          {section.label}
        </a>
      ))}
    </nav>
  );
}
