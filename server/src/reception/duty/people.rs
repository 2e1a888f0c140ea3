//! Accounts and proofs (HB-04, HB-26): a password is checked by Argon2id before the core is asked, and an account that does not
//! exist costs the same time as a wrong password.

use crate::{
    clerk::No,
    reception::{Reception, context, done},
};
use exam_protocol::{
    code::Refusal,
    ids::{AccountId, SealedBytes, StationId},
    message::duty::{
        APPROVALS_MAX, Approval, ChangePassword, MakeAccount, People, PeopleCall, Person, ResetPassword,
        STAFF_PASSWORD_BYTES_MAX, STAFF_PASSWORD_CHARS_MIN, SignOn,
    },
    staff::Act,
    tag::Down,
};
use exam_room::{
    Site,
    rules::{password, people},
};
use zeroize::Zeroizing;

impl Reception {
    pub(in crate::reception) async fn people_call(&self, by: StationId, wanted: PeopleCall) -> Result<Down, No> {
        match wanted {
            PeopleCall::Make(wanted) => self.make_account(by, wanted).await,
            PeopleCall::SignOn(wanted) => self.sign_on(by, wanted).await,
            PeopleCall::SignOff => done(self.inner.clerk.ask(people::SignOff { station: by }).await?),
            PeopleCall::ChangePassword(wanted) => self.change_password(by, wanted).await,
            PeopleCall::ResetPassword(wanted) => self.reset_password(by, wanted).await,
            PeopleCall::List => Ok(self.inner.clerk.read(move |site, _| everybody(site, &by)).await?.into()),
        }
    }

    async fn make_account(&self, by: StationId, wanted: MakeAccount) -> Result<Down, No> {
        let MakeAccount { account, name, role, room, stands_in_for, reason, password } = wanted;
        let password = Zeroizing::new(password.into_bytes());
        strong_enough(&password)?;
        let station = by.clone();
        self.inner.clerk.read(move |site, _| site.actor(&station, Act::KeepPeople).map(drop)).await??;
        let password = self.sealed_hash(password).await?;
        let ask = people::MakeAccount { account, name, role, room, stands_in_for, reason, password, by };
        done(self.inner.clerk.ask(ask).await?)
    }

    async fn sealed_hash(&self, password: Zeroizing<Vec<u8>>) -> Result<SealedBytes, No> {
        let phc = self.inner.passwords.hash(password).await?;
        Ok(SealedBytes(self.keys().at_rest().seal(context::STAFF_PASSWORD, phc.as_bytes())))
    }

    /// The old password is the proof; a wrong one counts as at every other place where one is typed.
    async fn change_password(&self, station: StationId, wanted: ChangePassword) -> Result<Down, No> {
        let ChangePassword { account, old, new } = wanted;
        let new = Zeroizing::new(new.into_bytes());
        strong_enough(&new)?;
        self.proven(&station, vec![Approval { account: account.clone(), password: old }]).await?;
        let password = self.sealed_hash(new).await?;
        tracing::info!(%station, %account, "a person changed their password");
        done(self.inner.clerk.ask(password::ChangePassword { account, password, station }).await?)
    }

    async fn reset_password(&self, by: StationId, wanted: ResetPassword) -> Result<Down, No> {
        let ResetPassword { account, new } = wanted;
        let new = Zeroizing::new(new.into_bytes());
        strong_enough(&new)?;
        let (station, theirs) = (by.clone(), account.clone());
        self.inner.clerk.read(move |site, _| site.may_reset(&station, &theirs).map(drop)).await??;
        let password = self.sealed_hash(new).await?;
        tracing::warn!(station = %by, %account, "a password was reset");
        done(self.inner.clerk.ask(password::ResetPassword { account, password, by }).await?)
    }

    async fn sign_on(&self, station: StationId, wanted: SignOn) -> Result<Down, No> {
        let SignOn { account, password } = wanted;
        let proof = Approval { account: account.clone(), password };
        self.proven(&station, vec![proof]).await?;
        let reply = self.inner.clerk.ask(people::SignOn { station: station.clone(), account: account.clone() }).await?;
        tracing::info!(%station, %account, "a person signed on");
        done(reply)
    }

    /// The accounts whose passwords are right: all of them, or a refusal. Each is looked at even if an earlier one was wrong.
    pub(in crate::reception) async fn proven(
        &self,
        station: &StationId,
        approvals: Vec<Approval>,
    ) -> Result<Vec<AccountId>, No> {
        if approvals.len() > APPROVALS_MAX {
            return Err(Refusal::TooMany { max: APPROVALS_MAX as u32 }.into());
        }
        self.inner.tries.begin(station, self.inner.clock.now().at)?;
        let (mut accounts, mut all_right) = (Vec::new(), true);
        for Approval { account, password } in approvals {
            all_right &= self.is_password_of(&account, Zeroizing::new(password.into_bytes())).await?;
            accounts.push(account);
        }
        if !all_right {
            tracing::warn!(%station, "a wrong account or password was typed at a console");
            return Err(Refusal::WrongAccountOrPassword.into());
        }
        self.inner.tries.right(station);
        Ok(accounts)
    }

    async fn is_password_of(&self, account: &AccountId, mut password: Zeroizing<Vec<u8>>) -> Result<bool, No> {
        let fits = password.len() <= STAFF_PASSWORD_BYTES_MAX;
        password.truncate(STAFF_PASSWORD_BYTES_MAX);
        let id = account.clone();
        let active = move |site: &Site| site.accounts.get(&id).filter(|a| a.active).map(|a| a.password.clone());
        let sealed = self.inner.clerk.read(move |site, _| active(site));
        let phc = sealed.await?.and_then(|sealed| {
            let phc = self.open_text(context::STAFF_PASSWORD, &sealed);
            if phc.is_none() {
                tracing::error!(%account, "a staff password does not open with this site's key");
            }
            phc
        });
        Ok(self.inner.passwords.verify(password, phc.as_deref()).await? && fits)
    }
}

fn strong_enough(password: &[u8]) -> Result<(), Refusal> {
    if password.len() > STAFF_PASSWORD_BYTES_MAX {
        return Err(Refusal::TextTooLong { max_chars: (STAFF_PASSWORD_BYTES_MAX / 4) as u32 });
    }
    if String::from_utf8_lossy(password).trim().chars().count() < STAFF_PASSWORD_CHARS_MIN {
        return Err(Refusal::PasswordTooShort { min_chars: STAFF_PASSWORD_CHARS_MIN as u32 });
    }
    Ok(())
}

fn everybody(site: &Site, asks: &StationId) -> People {
    let signed_on = |account: &AccountId| {
        let here = site.stations.iter().filter(|(_, machine)| machine.staff.as_ref() == Some(account));
        here.map(|(station, _)| station.clone()).collect()
    };
    let person = |(account, known): (&AccountId, &exam_room::state::Account)| Person {
        account: account.clone(),
        name: known.name.clone(),
        role: known.role,
        room: known.room.clone(),
        stands_in_for: known.stands_in_for.clone(),
        active: known.active,
        signed_on: signed_on(account),
    };
    People {
        people: site.accounts.iter().map(person).collect(),
        own: site.stations.get(asks).and_then(|machine| machine.staff.clone()),
    }
}
