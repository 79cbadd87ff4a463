using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>Item `backup_service_module`: one module of the backup service on one pool, with what was seen and when.</summary>
    public sealed class BackupServiceModule
    {
        /// <summary>The surviving pool.</summary>
        public string PoolFqdn { get; set; }

        public string DamagedPoolFqdn { get; set; }

        /// <summary>The pool whose status this is: one of the two.</summary>
        public string StatusPoolFqdn { get; set; }

        /// <summary>The module's name, `ConfServices.DataConf` for meeting content.</summary>
        public string BackupModule { get; set; }

        /// <summary>The last word read; null where there was none.</summary>
        public string ExportStatus { get; set; }

        public string ImportStatus { get; set; }

        /// <summary>What had to be good: `export`, `import`, `export and import`. The rest is reported only.</summary>
        public string Awaited { get; set; }

        /// <summary>`done`, `failed` or `waiting`.</summary>
        public string State { get; set; }

        public bool IsDone { get; set; }

        /// <summary>Since when all readings of what is awaited were good.</summary>
        public DateTime? GoodSinceUtc { get; set; }

        public DateTime? FirstReadAtUtc { get; set; }

        public DateTime? LastReadAtUtc { get; set; }

        public long Readings { get; set; }

        /// <summary>Every change, oldest first.</summary>
        public BackupServiceReading[] Seen { get; set; }

        public string Text { get; set; }
    }
}
