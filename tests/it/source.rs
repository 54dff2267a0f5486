//! The sources themselves: their layers and circles, how they are written, and their readers of bytes from elsewhere.

mod circles;
mod layering;
mod readers;
mod tidy;
