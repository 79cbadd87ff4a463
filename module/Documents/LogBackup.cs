using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>Item `log_backup`: one log backup (one set in one file) and where it stands.</summary>
    public sealed class LogBackup
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        public string Name { get; set; }

        /// <summary>`restored`, `needed`, `not_copied`, `unfinished`, `damaged`, `other_path`, `unreadable`, or `gap`.</summary>
        public string Status { get; set; }

        /// <summary>The status in words, where there is more to say.</summary>
        public string Detail { get; set; }

        /// <summary>As the instance names it.</summary>
        public string Path { get; set; }

        public bool OnShare { get; set; }

        public bool InCopyFolder { get; set; }

        /// <summary>Of several sets in one file.</summary>
        public int Position { get; set; }

        public decimal? FirstLsn { get; set; }

        public decimal? LastLsn { get; set; }

        public long? SizeBytes { get; set; }

        public DateTime? FinishedAtUtc { get; set; }

        public string Writer { get; set; }
    }
}
