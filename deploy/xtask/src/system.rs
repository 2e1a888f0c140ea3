//! System packages: which stock tools the checks use, whether they are here, and how they get here.
//! Never installs where it is not root on Debian or Ubuntu: elsewhere it says what to install.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

/// Program → Debian package. They check a bundle without any code of ours.
const STOCK_TOOLS: &[(&str, &str)] = &[("age", "age"), ("minisign", "minisign"), ("unzip", "unzip")];

/// The same for the rigs: a wall clock that can be moved under a program, networks that can be laid and spoilt.
const RIG_TOOLS: &[(&str, &str)] =
    &[("faketime", "faketime"), ("nft", "nftables"), ("ip", "iproute2"), ("tc", "iproute2")];

/// Stock tools that are not on the path.
pub(crate) fn missing_tools() -> Vec<&'static str> {
    STOCK_TOOLS.iter().map(|(program, _)| *program).filter(|program| !on_path(program)).collect()
}

/// Installs what is missing, or says what to install. Returns whether everything is here now.
pub(crate) fn setup() -> bool {
    let missing: Vec<_> = all_tools().filter(|(program, _)| !on_path(program)).collect();
    if missing.is_empty() {
        println!("system packages: all here");
        return true;
    }
    let packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    if !(is_debian() && is_root()) {
        let programs: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
        println!("please install: {} (Debian/Ubuntu: apt-get install {})", programs.join(", "), packages.join(" "));
        return false;
    }
    let _ = apt_get(&["update"]);
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&packages);
    apt_get(&install) && all_tools().all(|(program, _)| on_path(program))
}

fn all_tools() -> impl Iterator<Item = (&'static str, &'static str)> {
    STOCK_TOOLS.iter().chain(RIG_TOOLS).copied()
}

fn apt_get(args: &[&str]) -> bool {
    eprintln!("apt-get {}", args.join(" "));
    let status =
        Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn is_debian() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let names_debian = |line: &str| {
        let (key, value) = line.split_once('=').unwrap_or_default();
        matches!(key, "ID" | "ID_LIKE") && ["debian", "ubuntu"].iter().any(|name| value.contains(name))
    };
    release.lines().any(names_debian) && on_path("apt-get")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn on_path(program: &str) -> bool {
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|dir: std::path::PathBuf| Path::new(&dir).join(&file).is_file())
}
