using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>What is lost for good, as far as it is known.</summary>
    public sealed class Loss
    {
        /// <summary>The last LSN that will be there.</summary>
        public decimal? RecoveredToLsn { get; set; }

        /// <summary>When the last recovered backup finished.</summary>
        public DateTime? RecoveredToUtc { get; set; }

        /// <summary>When the primary was lost, where that is known.</summary>
        public DateTime? OutageUtc { get; set; }

        /// <summary>Seconds between the two.</summary>
        public long? LostSeconds { get; set; }

        /// <summary>True where later log backups are known, or may exist, that will not be restored: it must be accepted by name.</summary>
        public bool MustBeAccepted { get; set; }

        /// <summary>The value for `-AcceptDataLoss`.</summary>
        public string AcceptValue { get; set; }

        /// <summary>The whole of it in words.</summary>
        public string Text { get; set; }

        public override string ToString()
        {
            return Text;
        }
    }
}
