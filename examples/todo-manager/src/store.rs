//! Where the to-do items are kept.
//!
//! Every statement that reads or deletes carries the caller's reach as an SQL condition, so an item that the caller may not see never leaves the
//! database. The SQL is the common part of SQLite and PostgreSQL.

use std::{fmt, str::FromStr, time::Duration};

use mcp_auth::Access;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, FromRow,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions},
};

/// One to-do item, as stored and as answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Todo {
    /// Identifies the item.
    pub id: String,
    /// What there is to do.
    pub content: String,
    /// The subject of the caller that created the item.
    pub owner_id: String,
    /// When the item was created, in RFC 3339.
    pub created_at: String,
}

/// A database of to-do items. Clones share one connection pool.
#[derive(Debug, Clone)]
pub struct TodoStore {
    pool: SqlitePool,
}

/// The database URL cannot be used, or the database does not answer.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot open the database `{url}`: {problem}; set `--database` (DATABASE_URL) to a URL such as `sqlite://todos.db?mode=rwc`"
)]
pub struct OpenError {
    url: String,
    problem: String,
}

impl OpenError {
    fn new(url: &str, problem: impl fmt::Display) -> Self {
        // A database URL may carry a password.
        let url = url::Url::parse(url).map_or_else(
            |_| url.to_owned(),
            |mut url| {
                if url.password().is_some() {
                    let _ = url.set_password(Some("redacted"));
                }
                url.to_string()
            },
        );
        Self {
            url,
            problem: problem.to_string(),
        }
    }
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS todos (
        id         TEXT PRIMARY KEY,
        content    TEXT NOT NULL,
        owner_id   TEXT NOT NULL CHECK (owner_id <> ''),
        created_at TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS todos_owner_id ON todos (owner_id);
";

impl TodoStore {
    /// Opens the database and creates its table if there is none.
    ///
    /// # Errors
    /// The URL is not one of SQLite, or the file cannot be opened or created.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        if !url.starts_with("sqlite:") {
            return Err(OpenError::new(url, "only `sqlite:` URLs are supported"));
        }
        let options = SqliteConnectOptions::from_str(url)
            .map_err(|error| OpenError::new(url, error))?
            // Readers do not wait for a writer, and a second writer waits instead of failing.
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(5));
        let open = async {
            let pool = SqlitePoolOptions::new()
                .max_connections(4)
                .connect_with(options)
                .await?;
            sqlx::raw_sql(SCHEMA).execute(&pool).await?;
            Ok(Self { pool })
        };
        open.await.map_err(|error: sqlx::Error| OpenError::new(url, error))
    }

    /// Adds an item that belongs to the caller.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn create(&self, access: &Access, content: &str) -> sqlx::Result<Todo> {
        let created_at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        sqlx::query_as("INSERT INTO todos (id, content, owner_id, created_at) VALUES ($1, $2, $3, $4) RETURNING *")
            .bind(uuid::Uuid::new_v4().to_string())
            .bind(content)
            .bind(access.owner_key())
            .bind(created_at)
            .fetch_one(&self.pool)
            .await
    }

    /// Lists the items that the caller may see, oldest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn list(&self, access: &Access) -> sqlx::Result<Vec<Todo>> {
        let reachable = access.sql("owner_id", 1);
        let sql = format!(
            "SELECT * FROM todos WHERE {} ORDER BY created_at, id",
            reachable.clause()
        );
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        if let Some(owner) = reachable.bind() {
            query = query.bind(owner.to_owned());
        }
        query.fetch_all(&self.pool).await
    }

    /// Deletes an item if the caller may, and returns it. An item of somebody else and one that does not exist both give `None`.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn delete(&self, access: &Access, id: &str) -> sqlx::Result<Option<Todo>> {
        let reachable = access.sql("owner_id", 2);
        // One statement: between a check and a deletion, the item could change hands.
        let sql = format!("DELETE FROM todos WHERE id = $1 AND {} RETURNING *", reachable.clause());
        let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(id.to_owned());
        if let Some(owner) = reachable.bind() {
            query = query.bind(owner.to_owned());
        }
        query.fetch_optional(&self.pool).await
    }

    /// Finishes what is under way and closes the database.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
