//! Forty people sign on at forty consoles in the same instant: how long the last one waits, and what their passwords leave in
//! the server's memory.

use crate::{
    consoles::ACCOUNT,
    exam::{Room, figure, figures_of},
    proc,
    run::Round,
    seats::Deed,
};
use anyhow::{Context, Result};
use std::{fs, path::Path};

pub(crate) fn measure(round: &mut Round<'_>, folder: &Path) -> Result<()> {
    let mut room = Room::open(folder, round.seats, round.number)?;
    let server = room.server_id()?;
    let before = proc::used(server)?.resident_kib;
    let add = ["staff", "add", ACCOUNT, "--name", "测速主考", "--role", "chief", "--generate"];
    let made = room.site.server(add)?.expect_code(0)?.json()?;
    let password = room.site.folder().root().join("password");
    fs::write(&password, made["password"].as_str().context("a drawn password")?)?;
    let uses = round.seats.to_string();
    let said = room.site.server(["enrol-code", "--role", "console", "--uses", &uses])?.expect_code(0)?.json()?;
    let code = said["codes"][0]["code"].as_str().context("a code")?;
    let signed_on =
        figures_of(room.seats(Deed::SignOn, None, &[("code", &code), ("password", &password.display())])?)?;
    round.figures.note("ours_logins_all_ms", figure(&signed_on["all_ms"])?);
    round.figures.note("ours_logins_growth_mib", (proc::used(server)?.resident_kib - before) / 1024.0);
    room.site.stop_server()
}
