//! Files that name people, which only their owner may read.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Opens a file and restricts its permissions to the owner, whether the file is new or not.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    restrict(&file)?;
    Ok(file)
}

/// Whether a file can be opened to append to it, as far as that is known without creating it.
pub(crate) fn check_openable(path: &Path) -> io::Result<()> {
    match OpenOptions::new().read(true).append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            folder.map_or(Ok(()), |folder| std::fs::metadata(folder).map(drop))
        }
        opened => opened.map(drop),
    }
}

#[cfg(unix)]
fn restrict(file: &File) -> io::Result<()> {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    match file.set_permissions(Permissions::from_mode(0o600)) {
        // The file belongs to another user, who decides about its permissions.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        restricted => restricted,
    }
}

#[cfg(not(unix))]
fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

/// Whether `path` still refers to this open file.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let metadata = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        metadata => metadata?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let own = file.metadata()?;
        Ok((own.dev(), own.ino()) == (metadata.dev(), metadata.ino()))
    }
    // Other systems do not delete open files.
    #[cfg(not(unix))]
    {
        let _ = (file, metadata);
        Ok(true)
    }
}
