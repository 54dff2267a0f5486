//! The sources themselves: their layers, and their readers of bytes from elsewhere.

mod layering;
mod readers;
