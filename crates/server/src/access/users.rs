use super::{MIN_PASSWORD, Role, password, secret};
use crate::clock::now;
use crate::folder::Folder;
use crate::store::{Store, UserRow};
use crate::{ServerError, Settings};
use boneage_core::Digest;

/// The users of a data folder, for the command line. A service may run meanwhile.
pub struct Users {
    store: Store,
}

impl Users {
    /// The users of the settings' data folder.
    ///
    /// # Errors
    /// If folder or database cannot be opened.
    pub fn open(settings: &Settings) -> Result<Self, ServerError> {
        Ok(Users { store: Store::open(Folder::open(&settings.data)?)? })
    }

    /// Adds a user.
    ///
    /// # Errors
    /// If the name is taken or unfit, or the password is shorter than [`MIN_PASSWORD`].
    pub fn add(&self, name: &str, role: Role, password: &str) -> Result<(), ServerError> {
        let fit = |c: char| c.is_alphanumeric() || "._-@".contains(c);
        if name.is_empty() || name.chars().count() > 64 || !name.chars().all(fit) {
            return Err(ServerError::User(format!(
                "name {name:?} cannot be used; hint: 1 to 64 letters, digits, dots, dashes, underscores or @"
            )));
        }
        let length = password.chars().count();
        if !(MIN_PASSWORD..=1024).contains(&length) {
            return Err(ServerError::User(format!(
                "the password has {length} characters, at least {MIN_PASSWORD} are needed; hint: four words are better than one with signs"
            )));
        }
        let user = UserRow { name: name.to_owned(), role, password: password::hash(password)? };
        match self.store.add_user(&user, now())? {
            true => Ok(()),
            false => Err(ServerError::User(format!("there is a user {name} already"))),
        }
    }

    /// Removes a user with all logins and tokens.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn remove(&self, name: &str) -> Result<(), ServerError> {
        if self.store.remove_user(name)? { Ok(()) } else { Err(unknown(name)) }
    }

    /// Names and roles.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn list(&self) -> Result<Vec<(String, Role)>, ServerError> {
        Ok(self.store.users()?)
    }

    /// A new token for programs that act for a user. It is told this once and stored as a digest alone.
    ///
    /// # Errors
    /// If there is no such user.
    pub fn token(&self, name: &str) -> Result<String, ServerError> {
        let token = secret()?;
        match self.store.add_token(&Digest::of(token.as_bytes()), name, now())? {
            true => Ok(token),
            false => Err(unknown(name)),
        }
    }
}

fn unknown(name: &str) -> ServerError {
    ServerError::User(format!("there is no user {name}; hint: boneage users list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SettingsFile;

    #[test]
    fn names_and_passwords_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let file = SettingsFile { data: Some(dir.path().to_owned()), ..SettingsFile::default() };
        let users = Users::open(&Settings::check(file).unwrap()).unwrap();
        let long = "four words will do";
        users.add("anna", Role::Admin, long).unwrap();
        for (name, password, part) in
            [("anna", long, "already"), ("a b", long, "cannot be used"), ("bert", "short", "5 characters")]
        {
            let message = users.add(name, Role::Viewer, password).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(users.list().unwrap(), [("anna".to_owned(), Role::Admin)]);
        assert_eq!(users.token("anna").unwrap().len(), 64);
        assert!(users.token("bert").is_err() && users.remove("bert").is_err());
        users.remove("anna").unwrap();
    }
}
