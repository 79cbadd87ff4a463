using System;

namespace PersistentChatFailover.Documents
{
    /// <summary>What a rehearsal on a lab showed, compared with the truth that the lab holds.</summary>
    public sealed class DrillResult
    {
        public string SqlInstance { get; internal set; }

        public string Database { get; internal set; }

        public string PoolFqdn { get; internal set; }

        /// <summary>Of a conference drill: the pool whose content was lost; PoolFqdn is the one that still had it.</summary>
        public string DamagedPoolFqdn { get; internal set; }

        public string Scenario { get; internal set; }

        /// <summary>How the run ended; `failed` also where the lab's truth differs from what was reported.</summary>
        public string Outcome { get; internal set; }

        public int ExitCode { get; internal set; }

        public DateTime StartedAtUtc { get; internal set; }

        public DateTime EndedAtUtc { get; internal set; }

        /// <summary>From the beginning to the end of the run, or of both runs.</summary>
        public double Seconds { get; internal set; }

        /// <summary>Chat messages written on the primary until it was lost; in a drill there and back, all that users wrote.</summary>
        public long MessagesWritten { get; internal set; }

        /// <summary>Those that the recovered database holds.</summary>
        public long MessagesKept { get; internal set; }

        public long MessagesLost { get; internal set; }

        /// <summary>What the run reported as lost.</summary>
        public Loss ReportedLoss { get; internal set; }

        /// <summary>Persistent Chat users are served again, as the lab sees it.</summary>
        public bool UsersServed { get; internal set; }

        /// <summary>Of a drill there and back: how the configuration at home differs from the baseline; nothing in one that went well.</summary>
        public Drift[] Drift { get; internal set; }

        /// <summary>The instance whose messages are counted; null: the backup.</summary>
        internal string ServingSqlInstance { get; set; }

        /// <summary>The numbers of the messages that were missing before the way home.</summary>
        internal string LostBefore { get; set; }

        /// <summary>Of a conference drill: the meetings of the damaged pool.</summary>
        public long Meetings { get; internal set; }

        /// <summary>Those that have their content at the end.</summary>
        public long MeetingsRestored { get; internal set; }

        public StepResult[] Steps { get; internal set; }

        public string[] NextActions { get; internal set; }

        /// <summary>T-SQL that the lab did not know; empty in a drill that means something.</summary>
        public string[] UnknownStatements { get; internal set; }

        public string Text { get; internal set; }

        public ErrorDocument Error { get; internal set; }

        /// <summary>The lab, where it was left running; else null.</summary>
        public PChatLab Lab { get; internal set; }
    }
}
