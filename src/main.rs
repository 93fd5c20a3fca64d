//! svbox: one program that is many, by the name it is called by.
#![no_main]

#[path = "../applets/mod.rs"]
mod applets;

svbox::entry!(applets::dispatch);
