//! Faces in photographs: found, cut out and turned upright, as the networks know them.
//!
//! ```
//! use fer_data::Resize;
//! use fer_data::face::{FaceFinder, Photograph};
//!
//! let portrait = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/astronaut.jpg");
//! let photograph = Photograph::open(portrait.as_ref())?;
//! let finder = FaceFinder::new();
//! for face in finder.find(&photograph)? {
//!     let picture = photograph.crop(&face, Resize::default());
//!     println!("{:?}, rolled by {:.0}°: {picture:?}", face.bounds(), face.roll());
//! }
//! # assert_eq!(finder.find(&photograph)?.len(), 1);
//! # Ok::<(), fer_data::DataError>(())
//! ```
//!
//! The finder is SeetaFace Detection (Wu, Kan, He, Shan and Chen 2017), tested against the crate
//! `rustface`, a port of its authors' program; the trained cascade is built into the program, see
//! `assets/README.md` of this crate for its licence. It works on grey values on the CPU, gives the same faces on any number of threads, and
//! neither stores nor sends anything.
//!
//! # Which faces are found?
//!
//! Frontal ones, rolled by up to about 25° either way without further ado; where there are none, the
//! photograph is also looked at turned by 20°, which reaches to about 40°. Profiles are not found. A
//! face is found from about 40 pixels across, in a photograph of up to 320 pixels from about 20;
//! photographs longer than [`FinderSettings::longest_side`] are scaled down to it first, so that the
//! time stays bounded, and the least size grows in proportion. 50 megapixels take 2 seconds of one core of an
//! Intel Xeon with decoding and prediction where they show a face, and 5 where they are noise.
//!
//! # Photographs from strangers?
//!
//! The whole finder is safe Rust: windows that a network moves out of the photograph see black there, and
//! those wholly outside are dropped. Time and memory are bounded by [`FinderSettings::longest_side`].
//!
//! # How is a face cut out?
//!
//! As the networks saw faces in training. In FER2013 the finder's box is a square of 43.6 pixels of 48
//! around the middle of the picture (its centre lies at 23.96, 23.90; 383 of 500 pictures, deviation of
//! the side 6.1), so the square that is cut out has the same centre and 48/43.6 = 1.10 times the side.
//! Beyond the photograph's border its edge pixels go on. A face that is rolled by 5° or more is turned
//! upright. Grey values and sizes are handled as in [`Picture`](crate::Picture)'s own decoding.

mod bounds;
mod cascade;
mod cutting;
mod finder;
mod photograph;
mod turning;

pub use bounds::Bounds;
pub use finder::{FaceFinder, FinderSettings};
pub use photograph::{Face, Photograph};
