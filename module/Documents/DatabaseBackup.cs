namespace PersistentChatFailover.Documents
{
    /// <summary>Item `backup`: a backup that was taken and verified.</summary>
    public sealed class DatabaseBackup
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        /// <summary>`full`, `log`, `tail` or `salvage`.</summary>
        public string BackupType { get; set; }

        /// <summary>As the instance opens it.</summary>
        public string BackupFile { get; set; }

        public decimal FirstLsn { get; set; }

        public decimal LastLsn { get; set; }

        public long SizeBytes { get; set; }

        public bool IsCopyOnly { get; set; }

        /// <summary>True where it was read to its end with its checksums.</summary>
        public bool IsVerified { get; set; }

        /// <summary>What the database is behind it.</summary>
        public string DatabaseState { get; set; }
    }
}
