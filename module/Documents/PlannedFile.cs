namespace PersistentChatFailover.Documents
{
    /// <summary>A log backup in a plan.</summary>
    public sealed class PlannedFile
    {
        public string Name { get; set; }

        public decimal FirstLsn { get; set; }

        public decimal LastLsn { get; set; }

        public long SizeBytes { get; set; }

        /// <summary>`copy`, `restore`, or `copy and restore`.</summary>
        public string Action { get; set; }

        /// <summary>Where it lies now, as the instance names it.</summary>
        public string From { get; set; }

        /// <summary>Where it is restored from.</summary>
        public string To { get; set; }

        public override string ToString()
        {
            return Name;
        }
    }
}
