namespace PersistentChatFailover.Documents
{
    /// <summary>Item `mirror`: database mirroring as one partner sees it.</summary>
    public sealed class DatabaseMirror
    {
        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        public string DatabaseState { get; set; }

        public bool IsMirrored { get; set; }

        /// <summary>`principal` or `mirror`.</summary>
        public string Role { get; set; }

        /// <summary>`synchronized`, `synchronizing`, `suspended`, `disconnected`, …</summary>
        public string State { get; set; }

        /// <summary>`full` or `off`.</summary>
        public string Safety { get; set; }

        public string PartnerSqlInstance { get; set; }

        public string PartnerAddress { get; set; }

        public string WitnessAddress { get; set; }

        public long? EndpointPort { get; set; }

        public bool IsEndpointStarted { get; set; }

        /// <summary>True for a copy that is RESTORING though nothing mirrors or ships to it.</summary>
        public bool IsOrphan { get; set; }

        /// <summary>What it means, and what to do with an orphan.</summary>
        public string Text { get; set; }
    }
}
