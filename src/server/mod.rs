//! The admission server.

pub mod gateway;
