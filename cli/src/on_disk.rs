//! A recording on disk: a file, a folder of files, or files that are named one by one.

use crate::args::SettingArgs;
use crate::failure::Failure;
use crate::text::{shown, shown_path};
use dropscope_jobs::Input;
use dropscope_pipeline::folder::{STATEMENT, Statement};
use dropscope_pipeline::key::{folder_name, kind_of_member};
use dropscope_pipeline::{MemberKind, ObjectKey, RecordingKey, RecordingToml, Settings, Timestamp};
use dropscope_recording::{Members, ReadAt, RecordingError};
use dropscope_validate::{Accepted, check};
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where a recording lies, and what it is called.
#[derive(Debug)]
pub(crate) struct OnDisk {
    /// Names its results.
    pub(crate) name: String,
    /// The file or folder, as it was typed; of a list its first file.
    pub(crate) path: PathBuf,
    files: Files,
}

#[derive(Debug)]
enum Files {
    One,
    /// All of the folder, with what its recording.toml says.
    Folder(Vec<String>, Box<RecordingToml>),
    /// Somebody named each: names and paths.
    List(Vec<(String, PathBuf)>),
}

impl OnDisk {
    /// The recording that is a file or a folder.
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        let (name, path) = (name_of(path), path.to_owned());
        if !path.is_dir() {
            return Ok(Self { name, path, files: Files::One });
        }
        let files = Files::Folder(members(&path)?, Box::new(statement(&path)?));
        Ok(Self { name, path, files })
    }

    /// The one recording that all these paths are: a file, a folder, or files in any order.
    pub(crate) fn of(paths: &[PathBuf]) -> Result<Self, Failure> {
        let [first, _, ..] = paths else {
            let path = paths.first().ok_or_else(|| Failure::input("no recording is named", "name a file or a folder"))?;
            return Self::at(path);
        };
        if let Some(folder) = paths.iter().find(|path| path.is_dir()) {
            let cause = format!("{} is a folder among files of one recording", shown_path(folder));
            return Err(Failure::input(cause, "name one folder, or its files"));
        }
        let mut files: Vec<(String, PathBuf)> = paths.iter().map(|path| (file_name(path), path.clone())).collect();
        if !are_distinct(&files) {
            files = paths.iter().map(|path| (path.to_string_lossy().into_owned(), path.clone())).collect();
        }
        if !are_distinct(&files) {
            return Err(Failure::input("a file of the recording is named twice", "name each file once"));
        }
        files.sort();
        let folder = absolute(first).parent().map_or_else(|| name_of(first), name_of);
        Ok(Self { name: folder, path: first.clone(), files: Files::List(files) })
    }

    /// The same under another name.
    pub(crate) fn named(self, name: Option<&str>) -> Result<Self, Failure> {
        match name {
            None => Ok(self),
            Some(name) if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) => {
                Err(Failure::input(format!("`{}` cannot name a folder", shown(name)), "choose another --name"))
            }
            Some(name) => Ok(Self { name: name.to_owned(), ..self }),
        }
    }

    /// What holds for it: the command line, then its recording.toml, then the nearest dropscope.toml.
    pub(crate) fn settings(&self, args: &SettingArgs) -> Result<Settings, Failure> {
        let said = crate::settings::from_args(args)?;
        let path = absolute(&self.path);
        let (said, start) = match &self.files {
            Files::Folder(_, statement) => (said.over(&statement.settings), Some(&*path)),
            _ => (said, path.parent()),
        };
        crate::settings::over_nearest(said, start)
    }

    /// Its bytes.
    pub(crate) fn input(&self) -> Result<Input, Failure> {
        let (files, is_list) = match &self.files {
            Files::One => return Ok(Input::One(Box::new(open(&self.path)?))),
            Files::List(files) => (files.clone(), true),
            Files::Folder(names, statement) => {
                let chosen = statement.choose(names).map_err(refused)?;
                let file = |place: usize| (names[place].clone(), self.path.join(&names[place]));
                (chosen.places.into_iter().map(file).collect(), chosen.is_list)
            }
        };
        let (names, paths) = files.into_iter().unzip();
        Ok(Input::Many(Box::new(OpenFiles { names, paths, is_list })))
    }

    /// When its oldest file was last written, where the disk tells.
    pub(crate) fn written_at(&self) -> Option<Timestamp> {
        let paths: Vec<PathBuf> = match &self.files {
            Files::One => vec![self.path.clone()],
            Files::List(files) => files.iter().map(|(_, path)| path.clone()).collect(),
            Files::Folder(names, _) => names.iter().map(|name| self.path.join(name)).collect(),
        };
        let at = |path: PathBuf| {
            let since = std::fs::metadata(path).ok()?.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            Some(Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?))
        };
        paths.into_iter().filter_map(at).min()
    }

    /// The verdict on it.
    pub(crate) fn accept(&self, settings: &Settings) -> Result<Accepted, Failure> {
        let notes = match &self.files {
            Files::Folder(names, statement) => statement.choose(names).map_err(refused)?.notes,
            _ => Vec::new(),
        };
        check(self.input()?, notes, settings).map_err(refused)
    }
}

/// Files of a recording that are opened when they are read.
struct OpenFiles {
    names: Vec<String>,
    paths: Vec<PathBuf>,
    is_list: bool,
}

impl Members for OpenFiles {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn open(&self, member: usize) -> io::Result<Box<dyn ReadAt>> {
        let path = self.paths.get(member).ok_or(io::ErrorKind::NotFound)?;
        match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(io::Error::new(error.kind(), format!("{} cannot be opened, {error}", shown_path(path)))),
        }
    }

    fn is_list(&self) -> bool {
        self.is_list
    }
}

/// The files directly in a folder, in the byte order of their names; hidden ones and settings are left out.
fn members(folder: &Path) -> Result<Vec<String>, Failure> {
    let list = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = file_name(&path);
            if kind_of_member(&name) == MemberKind::File && path.is_file() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    };
    list().map_err(|error| {
        Failure::input(format!("{} cannot be read, {error}", shown_path(folder)), "ask its owner to let you read it")
    })
}

/// What a folder's recording.toml says; nothing where there is none.
fn statement(folder: &Path) -> Result<RecordingToml, Failure> {
    let file = folder.join(STATEMENT);
    let refused = |why: &dyn std::fmt::Display| {
        Failure::input(format!("{} cannot be used: {why}", shown_path(&file)), "correct or remove that file")
    };
    match std::fs::read(&file).map(Statement::of_bytes) {
        Ok(Statement::Text(text)) => RecordingToml::from_toml(&text).map_err(|error| refused(&error)),
        Ok(Statement::Unusable(why)) => Err(refused(&why)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(RecordingToml::default()),
        // A statement that is there and cannot be read would change the result if it could.
        Err(error) => Err(refused(&error)),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn are_distinct(files: &[(String, PathBuf)]) -> bool {
    files.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len() == files.len()
}

fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// Name of a file or a folder without the extension, as for an uploaded recording.
fn name_of(path: &Path) -> String {
    if path.is_dir() {
        let folder = file_name(&absolute(path));
        return folder_name(&folder).unwrap_or(&folder).to_owned();
    }
    let file = file_name(path);
    let key = ObjectKey::raw(format!("recordings/local/{file}"));
    RecordingKey::parse(&key).map_or(file, |key| key.name)
}

/// Opens a file of the user's.
fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "check the name",
            io::ErrorKind::PermissionDenied => "ask its owner to let you read it",
            _ => "check the disk",
        };
        Failure::input(format!("{} cannot be opened, {error}", shown_path(path)), remedy)
    })
}

/// Why a recording cannot be read, as a failure of the command.
pub(crate) fn refused(error: RecordingError) -> Failure {
    match error {
        RecordingError::Io(error) => Failure::failed(&error, "check the disk and try again"),
        error => Failure::input(error.cause(), error.remedy()),
    }
}
