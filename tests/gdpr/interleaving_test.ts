/** Random events, several of them concurrent, in a few sequences; interleaving_long_test.ts tries more. */
import { testInterleavings } from "./interleavings.ts";

testInterleavings(15);
