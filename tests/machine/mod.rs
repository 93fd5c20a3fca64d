//! The machine: every pair of state and event as a table, and what must hold whatever happens.

mod properties;
mod table;
