//! File systems that a rig may cut off, fill or lie with: loop-mounted ext4 images, an overlay that swallows every
//! sync. Never outside the rig's own mount namespace, and unmounted when dropped.

use anyhow::{Context, Result, ensure};
use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// `EXT4_IOC_SHUTDOWN` (`FS_IOC_GOINGDOWN`), flag 2: no log is flushed, everything unsynced is gone, as when the power goes.
const SHUTDOWN: &str =
    "open(my $f, '<', $ARGV[0]) or die $!; my $flag = pack('L', 2); ioctl($f, 0x8004587d, $flag) or die $!;";

const TRIAL_BYTES: u64 = 16 * 1024 * 1024;

/// Whether images can be made, mounted, seen through a lying overlay and cut off here.
///
/// # Errors
/// What is missing.
pub(crate) fn try_images() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let [file, at, through] = ["img", "disk", "through"].map(|name| scratch.path().join(name));
    let image = Image::make(&file, &at, TRIAL_BYTES)?;
    Mounted::lying(&through, &at.join("upper"))?.unmount()?;
    image.cut()
}

/// A mounted file system.
#[derive(Debug)]
pub(crate) struct Mounted {
    at: PathBuf,
    up: bool,
}

impl Mounted {
    fn mount(args: &[&OsStr], at: &Path) -> Result<Self> {
        fs::create_dir_all(at)?;
        command("mount", &[args, &[at.as_os_str()]].concat())?;
        Ok(Self { at: at.to_path_buf(), up: true })
    }

    /// `upper` through an overlay whose syncs do nothing: a drive that lies about flushing.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn lying(at: &Path, upper: &Path) -> Result<Self> {
        let beside = |name: &str| upper.with_file_name(name);
        let (lower, work) = (beside("lower"), beside("work"));
        // An overlay that was cut off refuses its work folder afterwards.
        if work.exists() {
            fs::remove_dir_all(&work)?;
        }
        for folder in [&lower, &work, &upper.to_path_buf()] {
            fs::create_dir_all(folder)?;
        }
        let options =
            format!("lowerdir={},upperdir={},workdir={},volatile", lower.display(), upper.display(), work.display());
        Self::mount(&["-t", "overlay", "-o", &options, "overlay"].map(OsStr::new), at)
    }

    pub(crate) fn unmount(mut self) -> Result<()> {
        self.up = false;
        command("umount", &[self.at.as_os_str()])
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.up {
            let _ = command("umount", &["-l".as_ref(), self.at.as_os_str()]);
        }
    }
}

/// An ext4 image whose power can be cut.
#[derive(Debug)]
pub(crate) struct Image {
    file: PathBuf,
    at: PathBuf,
    mounted: Option<Mounted>,
}

impl Image {
    /// Makes `file` an ext4 image and mounts it at `at`.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn make(file: &Path, at: &Path, bytes: u64) -> Result<Self> {
        fs::File::create(file)?.set_len(bytes)?;
        command("mkfs.ext4", &[OsStr::new("-q"), "-F".as_ref(), file.as_os_str()])?;
        let mut image = Self { file: file.to_path_buf(), at: at.to_path_buf(), mounted: None };
        image.mount()?;
        Ok(image)
    }

    /// Cuts the power: from this moment nothing reaches the disk.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn cut(&self) -> Result<()> {
        command("perl", &["-e".as_ref(), SHUTDOWN.as_ref(), self.at.as_os_str()])
    }

    /// Unmounts, mounts again: the file system recovers as after a cut.
    ///
    /// # Errors
    /// The system's; e.g. somebody still has a file open.
    pub(crate) fn power_on(&mut self) -> Result<()> {
        if let Some(mounted) = self.mounted.take() {
            mounted.unmount()?;
        }
        self.mount()
    }

    fn mount(&mut self) -> Result<()> {
        let mounted = Mounted::mount(&[OsStr::new("-o"), "loop".as_ref(), self.file.as_os_str()], &self.at)?;
        self.mounted = Some(mounted);
        Ok(())
    }
}

fn command(program: &str, args: &[&OsStr]) -> Result<()> {
    let output = Command::new(program).args(args).output().with_context(|| format!("{program} cannot be started"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
