namespace PersistentChatFailover.Documents
{
    /// <summary>One step of a plan, with everything that it would do.</summary>
    public sealed class PlannedStep
    {
        public int Number { get; set; }

        /// <summary>Stable: `copy_and_restore`.</summary>
        public string Name { get; set; }

        /// <summary>For the operator: `Copy and restore the log backups`.</summary>
        public string Title { get; set; }

        /// <summary>The instance or pool that is changed.</summary>
        public string Target { get; set; }

        /// <summary>Statements, word for word.</summary>
        public string[] Statements { get; set; }

        public PlannedFile[] Files { get; set; }

        /// <summary>Native commands as an operator would type them, qualified with their module.</summary>
        public string[] NativeCommands { get; set; }

        public long? ExpectedSeconds { get; set; }

        /// <summary>What stays as it is when this step fails.</summary>
        public string OnFailure { get; set; }

        public override string ToString()
        {
            return Number + ". " + Title;
        }
    }
}
