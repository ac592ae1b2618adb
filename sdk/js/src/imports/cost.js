export { forecasts, usages } from "lockgate:policy/cost@1.0.0";
