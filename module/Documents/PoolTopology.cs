namespace PersistentChatFailover.Documents
{
    /// <summary>Result `pool_topology`: what a failover takes from the topology.</summary>
    internal sealed class PoolTopology
    {
        public string SqlInstance { get; set; }

        public string PoolFqdn { get; set; }

        public string PrimarySqlInstance { get; set; }

        public string PrimaryMirrorSqlInstance { get; set; }

        public string BackupMirrorSqlInstance { get; set; }

        /// <summary>Proposed: members whose services answer.</summary>
        public string[] ActiveServers { get; set; }
    }
}
