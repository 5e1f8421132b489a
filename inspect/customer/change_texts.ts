/** Texts of the forms that change a customer. */
import type { StaffCustomerCommand } from "../../actors/customers/available_commands.ts";

export type CustomerChange = Exclude<StaffCustomerCommand, `hold.${string}`>;

interface ChangeText {
  title: string;
  /** Label of the button; absent: the title. */
  button?: string;
  /** Message after the change. It must stay true after later events. */
  done: string;
  /** Section of the page that shows the change. */
  section: "person" | "addresses" | "groups" | "account";
  /** Label of the box that has to be checked; absent: none. */
  confirm?: string;
}

export const CHANGE_TEXTS: Readonly<Record<CustomerChange, ChangeText>> = {
  "profile.update": {
    title: "Edit the profile",
    button: "Save the profile",
    done: "You changed the profile.",
    section: "person",
  },
  "address.add": { title: "Add an address", done: "You added an address.", section: "addresses" },
  "address.update": {
    title: "Change this address",
    button: "Save this address",
    done: "You changed an address.",
    section: "addresses",
  },
  "address.delete": {
    title: "Remove this address",
    done: "You removed an address.",
    section: "addresses",
    confirm: "Yes, remove it",
  },
  "group.assign": { title: "Assign a group", done: "You assigned a group.", section: "groups" },
  "group.remove": {
    title: "Remove from the group",
    done: "You removed the customer from a group.",
    section: "groups",
  },
  "account.suspend": {
    title: "Suspend the account",
    done: "You suspended the account.",
    section: "account",
    confirm: "Yes, suspend it",
  },
  "account.reinstate": {
    title: "Reactivate the account",
    done: "You reactivated the account.",
    section: "account",
    confirm: "Yes, reactivate it",
  },
  "account.close": {
    title: "Close the account",
    done: "You closed the account.",
    section: "account",
    confirm: "Yes, close it",
  },
};

export const CUSTOMER_CHANGES = Object.keys(CHANGE_TEXTS) as CustomerChange[];
