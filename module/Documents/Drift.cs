namespace PersistentChatFailover.Documents
{
    /// <summary>A place of the configuration that two baselines tell differently.</summary>
    public sealed class Drift
    {
        /// <summary>The instance or the pool.</summary>
        public string Subject { get; set; }

        /// <summary>`primary`, `primary_mirror`, `backup`, `backup_mirror`, `pool` or `baseline`.</summary>
        public string Role { get; set; }

        public string Part { get; set; }

        /// <summary>`changed`, `added`, `gone`, or `unread` where one of the two could not read it.</summary>
        public string Kind { get; set; }

        public string Earlier { get; set; }

        public string Now { get; set; }
    }
}
