namespace PersistentChatFailover.Documents
{
    /// <summary>A part of a baseline that could not be read.</summary>
    public sealed class UnreadPart
    {
        /// <summary>The instance or the pool.</summary>
        public string Subject { get; set; }

        public string Part { get; set; }

        public string Why { get; set; }
    }
}
