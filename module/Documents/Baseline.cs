using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>Item `baseline`: a baseline as a file, and what has drifted since another one.</summary>
    public sealed class Baseline
    {
        /// <summary>The backup instance.</summary>
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        public string Path { get; set; }

        public DateTime SavedAtUtc { get; set; }

        public string PrimarySqlInstance { get; set; }

        public string PrimaryMirrorSqlInstance { get; set; }

        public string BackupMirrorSqlInstance { get; set; }

        public string LogBackupShare { get; set; }

        public string[] ActiveServers { get; set; }

        /// <summary>True where everything could be read.</summary>
        public bool IsComplete { get; set; }

        public UnreadPart[] Unread { get; set; }

        /// <summary>The baseline that it was compared with.</summary>
        public string ReferencePath { get; set; }

        public Drift[] Drift { get; set; }
    }
}
