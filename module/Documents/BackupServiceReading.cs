using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>What a module of the backup service showed from a moment on.</summary>
    public sealed class BackupServiceReading
    {
        public DateTime AtUtc { get; set; }

        public string ExportStatus { get; set; }

        public string ImportStatus { get; set; }

        /// <summary>True within the first interval, where a reading decides nothing.</summary>
        public bool DecidesNothing { get; set; }
    }
}
