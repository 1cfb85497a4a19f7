//! Pictures of faces in classes of expression: everything that happens before a network.
//!
//! ```
//! use fer_data::{Batches, Dataset, OpenSettings, Split, open};
//!
//! # fn main() -> Result<(), fer_data::DataError> {
//! # if false { // draws several thousand faces
//! let faces = open("drawn".as_ref(), &OpenSettings::default())?;
//! let batches = Batches::new(&faces, faces.indices(Split::Train), 32).shuffled(7, 1);
//! for batch in batches.iter() {
//!     let batch = batch?;
//!     println!("{} pictures, {} values", batch.labels.len(), batch.pixels.len());
//! }
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! [`open`] makes a [`Dataset`] of what lies at a path. A data set knows of each picture its class
//! among the [`ClassNames`], its [`Split`] and whose face it is, and decodes the [`Picture`] when it
//! is asked for by index. [`Batches`] puts pictures together as the arrays that a network takes,
//! shuffled, changed by an [`Augmentation`] and drawn by a [`Sampling`] when they train.
//!
//! # Which data are understood?
//!
//! The word `drawn`, for the built-in [`drawn`] faces; FER2013's csv, plain or packed by gzip or
//! zstd, with its own seven labels or with FER+ votes for eight ([`OpenSettings::ferplus`]); a folder
//! for each class, or for each person with expressions as file names, below the folders of splits
//! where there are any; a manifest, a csv of paths and labels; and Parquet files with pictures in their
//! rows, from disk (feature `parquet`) or from the Hugging Face hub (feature `hub`). Which of these lies at a path is
//! told by what is found there, [`OpenSettings::layout`] overrides it, and
//! [`Dataset::notices`] says how it was understood. Labels that are numbers mean what
//! [`OpenSettings::label_map`] or the [`Vocabulary`] of a known data set says. What is left out of a
//! data set is never silent: see [`Dataset::skipped`].
//!
//! # Are the data any good?
//!
//! [`audit()`](audit::audit) counts classes, people, copies and broken files, and warns, each time
//! with the step that mends it.
//!
//! # How does a file become a picture?
//!
//! [`Picture::open`] and [`Picture::decode`] tell the format by the content, turn the picture
//! upright, make it grey as OpenCV does and 48×48 by one of the two ways of [`Resize`].
//! [`Picture::open_with_facts`] also says what the file was. A file that cannot be used is refused
//! with what is wrong and what to do.
//!
//! # Where are the faces in a photograph?
//!
//! `face` finds them, cuts them out with the margin of the training pictures and turns them upright
//! (feature `detect`).
//!
//! # How are the data divided?
//!
//! As they say themselves; otherwise 80/10/10, with every person on one side only, wherever persons
//! are known. [`SplitSettings`] asks for other shares. [`Dataset::copies_of_train`] finds exact
//! copies that cross the border.
//!
//! # Data larger than memory?
//!
//! Every picture is decoded once, when data are opened, and decoded pictures take 2,328 bytes each. Up to
//! [`MemorySettings::bound`] they are held in memory. Where they are more, all of them lie in a temporary
//! file without a name, in [`MemorySettings::spill_folder`], from which batches read one by one; labels,
//! hashes and batches are the same bytes. Two processes have two files, and each is gone with its process.
//! The system keeps what it has room for of the file in memory that nobody else wants.
//!
//! Beyond the bound a data set holds at most 100 bytes an entry, while it is opened too: 21 for what
//! [`Entry`] says, 12 for the path beside the bytes of the file's own name (of a manifest, its path as
//! written there), 12 for what the file was, four for each further column; dividing takes the rest for a
//! moment. More are taken by what is counted in other ways: each entry [left out](Dataset::skipped) with
//! its reason, each person's name, each folder's path, FER+ votes, names longer than 40 bytes, and people
//! who are divided by whole persons with few pictures each. What is read and decoded at the moment takes
//! some megabytes more, however many entries there are.
//!
//! # Where does randomness come from?
//!
//! From [`random::stream`]: one seed, a name, an index. The same three give the same numbers on any
//! number of threads.
//!
//! # How would it look in the dark, or behind a mask?
//!
//! A [`Situation`] disturbs a [`Picture`], or all those of [`Batches::disturbed`], at a strength that
//! means something: stops of light, pixels of blur, a share of the mouth covered.
//!
//! # My own pictures?
//!
//! Anything can be a data set: give a [`PictureStore`] and one [`Entry`] a picture to
//! [`Dataset::new`].
//!
//! ```
//! use fer_data::{
//!     ClassNames, DataError, Dataset, DatasetParts, Entry, MemorySettings, Picture, PictureStore,
//!     Split, SplitSettings,
//! };
//!
//! struct Grey;
//!
//! impl PictureStore for Grey {
//!     fn picture(&self, position: usize) -> Result<Picture, DataError> {
//!         Picture::from_pixels(&[position as u8; 48 * 48], &self.origin(position))
//!     }
//!
//!     fn origin(&self, position: usize) -> String {
//!         format!("grey {position}")
//!     }
//! }
//!
//! let entries = (0..200).map(|position| Entry {
//!     position,
//!     label: position / 100,
//!     distribution: None,
//!     subject: None,
//!     split: if position % 10 == 0 { Split::Validation } else { Split::Train },
//! });
//! let dataset = Dataset::new(DatasetParts {
//!     name: "greys".into(),
//!     class_names: ClassNames::new(["dark", "light"])?,
//!     entries: entries.collect(),
//!     store: Box::new(Grey),
//!     skipped: Vec::new(),
//!     split_rule: "every tenth validates".into(),
//!     split_settings: SplitSettings::default(),
//!     memory: MemorySettings::default(),
//! })?;
//! assert_eq!(dataset.counts(Split::Validation), [10, 10]);
//! assert_eq!(dataset.picture(150)?.pixels()[0], 150);
//! # Ok::<(), DataError>(())
//! ```
//!
//! # Features
//!
//! `detect` (off by default): `face`, faces in photographs; it builds a cascade of 1.2 MB in.
//! `parquet` (off by default): Parquet files. `hub` (off by default): those of the Hugging Face hub, and
//! `to_candle`, any data set as a `candle_datasets::vision::Dataset`.

pub mod random;

mod printable;
mod regular;

mod expression;
mod picture;

#[cfg(feature = "detect")]
pub mod face;

pub mod drawn;

mod dataset;
mod decoded;
mod description;
mod entries;
mod error;
mod notice;
mod skipped;
mod source;
mod split;
mod worker;

pub mod audit;

mod copies;

mod augmentation;
mod batch;
mod sampling;
mod situation;
#[cfg(feature = "hub")]
mod vision;

pub use audit::audit;
pub use augmentation::Augmentation;
pub use batch::{Ahead, Batch, Batches, Outline, Pixels, scale};
pub use dataset::{Dataset, DatasetParts, PictureStore};
pub use decoded::MemorySettings;
pub use description::{Description, GroupColumn};
pub use entries::Entry;
pub use error::{DataError, Flaw};
pub use expression::{
    ActionUnit, Activation, ClassNames, Expression, Laterality, Region, Vocabulary,
};
pub use notice::{Level, Notice};
pub use picture::{
    Colours, DifferenceHash, LONGEST_SIDE, MOST_MEMORY, PIXELS, Picture, PictureFacts,
    PictureFormat, PictureMode, Resize, SIDE,
};
pub use printable::{printable, printable_path};
pub use regular::{open_regular, read_regular};
pub use sampling::Sampling;
pub use situation::{Disturbance, Situation};
pub use skipped::{Skipped, count_by_reason};
pub use source::{FerPlusTarget, FilesBelow, Layout, OpenSettings, files_below, open};
pub use split::{
    GroupedShares, Split, SplitSettings, by_subject, stratified, stratified_by_subject,
};
#[cfg(feature = "hub")]
pub use vision::to_candle;

/// The README's program is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
