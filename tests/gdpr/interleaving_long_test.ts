/** Random events, several of them concurrent, in many sequences. */
import { testInterleavings } from "./interleavings.ts";

testInterleavings(100);
