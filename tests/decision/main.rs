//! What leads to which verdict, and what can never lead to `allow`.

mod combining;
mod evidence;
mod properties;
mod scenario;
mod waivers;
