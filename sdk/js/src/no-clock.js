// Imported first by a component, so that code at the top level of the policy's modules finds no clock
// either: modules run in the order in which they are imported, before all else.
import { stopClock } from "./clock.js";

stopClock();
