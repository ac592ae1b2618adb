//! What hostile components get: the right reason, an undecided verdict, and a host that goes on
//! as if nothing had happened.

mod cache;
mod compile;
mod files;
mod guests;
mod support;
