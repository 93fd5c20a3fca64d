//! What `make install` does to machines that have runit: its programs are replaced where each distribution has them, and
//! services go on.

mod first;
mod full;
mod places;
mod roots;
mod switch;
