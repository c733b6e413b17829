//! Files that name people: nobody but their owner reads them.

use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
};

/// Opens a file as `options` say; one that is made is the owner's alone, and so is one that was there.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    restrict(&file)?;
    Ok(file)
}

#[cfg(unix)]
fn restrict(file: &File) -> io::Result<()> {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    match file.set_permissions(Permissions::from_mode(0o600)) {
        // Somebody else's, and theirs to restrict.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        restricted => restricted,
    }
}

#[cfg(not(unix))]
fn restrict(_: &File) -> io::Result<()> {
    Ok(())
}

/// Whether `path` still leads to this file, and not to another one or to none.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        there => there?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let own = file.metadata()?;
        Ok((own.dev(), own.ino()) == (there.dev(), there.ino()))
    }
    // Elsewhere a file that is open is not deleted.
    #[cfg(not(unix))]
    {
        let _ = (file, there);
        Ok(true)
    }
}
