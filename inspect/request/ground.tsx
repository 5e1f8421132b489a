/** Select field for the legal ground of a refusal or of a hold. */
import type { HoldGround } from "../../domain/holds.ts";
import { type RefusalGround } from "../../domain/notices.ts";

export const REFUSAL_LABELS: Record<RefusalGround, string> = {
  MANIFESTLY_UNFOUNDED: "manifestly unfounded, Article 12(5)",
  EXCESSIVE: "excessive, Article 12(5)",
  IDENTITY_NOT_PROVEN: "identity not established, Articles 11(2) and 12(2)",
  RIGHTS_OF_OTHERS: "rights and freedoms of others, Articles 15(4) and 20(4)",
  LEGAL_OBLIGATION: "legal obligation to keep the data, Article 17(3)(b)",
  LEGAL_CLAIMS: "legal claims, Article 17(3)(e)",
  FREEDOM_OF_EXPRESSION: "freedom of expression and information, Article 17(3)(a)",
  PUBLIC_INTEREST: "public health, archives or research, Article 17(3)(c) and (d)",
  NO_RIGHT: "the conditions of the right are not met",
};

export const HOLD_LABELS: Readonly<Record<HoldGround, string>> = {
  LEGAL_CLAIM: "Legal claim",
  LEGAL_OBLIGATION: "Legal obligation to keep the data",
  AUTHORITY_ORDER: "Order of a court or an authority",
  PUBLIC_INTEREST: "Public interest",
};

interface GroundProps {
  id: string;
  chosen: string | undefined;
  labels: Readonly<Record<string, string>>;
}

export function Ground({ id, chosen, labels }: GroundProps) {
  return (
    <>
      <label for={id}>Legal ground</label>
      <p id={`${id}-hint`} class="hint">The customer reads it.</p>
      <select id={id} name="ground" required aria-describedby={`${id}-hint`}>
        <option value="">Choose a ground</option>
        {Object.entries(labels).map(([ground, label]) => (
          <option value={ground} selected={ground === chosen}>{label}</option>
        ))}
      </select>
    </>
  );
}
