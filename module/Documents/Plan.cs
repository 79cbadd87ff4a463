using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Documents
{
    /// <summary>A plan: -WhatIf shows it, Invoke-PChatFailover -Plan runs this very one.</summary>
    public sealed class Plan
    {
        private string document;

        private Plan()
        {
        }

        /// <summary>The plan's number: the second in which it was made, and its digest.</summary>
        public string PlanId { get; private set; }

        /// <summary>`failover`, `planned_switch`, `failback`, `conference_restore`.</summary>
        public string Kind { get; private set; }

        /// <summary>When the evidence was read.</summary>
        public DateTime CreatedAtUtc { get; private set; }

        public string SqlInstance { get; private set; }

        public string Database { get; private set; }

        public string PoolFqdn { get; private set; }

        /// <summary>SHA-256 over the facts that the decision rests on.</summary>
        public string Digest { get; private set; }

        /// <summary>The facts that the decision rests on.</summary>
        public Dictionary<string, string> DecisionFacts { get; private set; }

        public CheckResult[] Checks { get; private set; }

        /// <summary>True when no check failed.</summary>
        public bool CanRun { get; private set; }

        public Loss Loss { get; private set; }

        public long? ExpectedSeconds { get; private set; }

        public PlannedStep[] Steps { get; private set; }

        /// <summary>The plan's own text, in ASCII, for saving it; Invoke-PChatFailover -PlanPath reads such a file.</summary>
        public string Document
        {
            get { return document; }
        }

        /// <summary>The document as maps and lists, for sending it back unchanged.</summary>
        internal Dictionary<string, object> Tree
        {
            get { return (Dictionary<string, object>)Json.Read(document); }
        }

        /// <summary>A text of the request that the plan was made for; a planned switch has it inside. Null where
        /// there is none.</summary>
        internal string RequestText(string member)
        {
            var request = (Dictionary<string, object>)Tree["request"];
            object inside;
            if (request.TryGetValue("failover", out inside))
            {
                request = (Dictionary<string, object>)inside;
            }
            return request[member] as string;
        }

        /// <summary>The command that runs such a plan.</summary>
        private string Runner
        {
            get
            {
                switch (Kind)
                {
                    case "conference_restore": return "Invoke-PChatConferenceRestore";
                    case "failback": return "Invoke-PChatFailback";
                    default: return "Invoke-PChatFailover";
                }
            }
        }

        /// <summary>Refuses a plan that another command runs.</summary>
        internal void MustBeFor(string command)
        {
            if (Runner != command)
            {
                throw PChatException.BadValue(
                    "this is a plan to " + Heading + ", which " + command + " does not run. Nothing was started.", "Hand it to " + Runner + ".");
            }
        }

        /// <summary>What the plan is about, in one line.</summary>
        public string Heading
        {
            get
            {
                if (Kind == "conference_restore")
                {
                    return "restore the conference content of " + RequestText("damaged_pool_fqdn") + " from " + PoolFqdn;
                }
                if (Kind == "failback")
                {
                    return "fail back " + Database + " from " + SqlInstance + (PoolFqdn == null ? string.Empty : " for pool " + PoolFqdn);
                }
                return (Kind == "planned_switch" ? "switch " : "fail over ") + Database + " to " + SqlInstance + (PoolFqdn == null ? string.Empty : " for pool " + PoolFqdn);
            }
        }

        /// <summary>The plan in lines: each step with how much it does, the loss and the time.</summary>
        internal string Summary
        {
            get
            {
                var text = new StringBuilder();
                text.Append(char.ToUpperInvariant(Heading[0])).Append(Heading.Substring(1));
                foreach (CheckResult check in Checks)
                {
                    if (check.State != "passed")
                    {
                        text.AppendLine().Append("  ").Append(check.State).Append(": ").Append(check.Name).Append(" is ").Append(check.Value);
                    }
                }
                foreach (PlannedStep step in Steps)
                {
                    text.AppendLine().Append("  ").Append(step.Number).Append(". ").Append(step.Title);
                    Count(text, step.Files.Length, "file");
                    Count(text, step.Statements.Length, "statement");
                    Count(text, step.NativeCommands.Length, "command");
                }
                text.AppendLine().Append("  Loss: ").Append(Loss.Text);
                if (ExpectedSeconds != null)
                {
                    text.AppendLine().Append("  Expected time: ").Append(TimeSpan.FromSeconds(ExpectedSeconds.Value));
                }
                return text.ToString();
            }
        }

        /// <summary>The question that is asked once.</summary>
        internal string Question
        {
            get { return Summary + Environment.NewLine + "Use -WhatIf to see every statement. Go on?"; }
        }

        private static void Count(StringBuilder text, int count, string noun)
        {
            if (count > 0)
            {
                text.Append(", ").Append(count.ToString(CultureInfo.InvariantCulture)).Append(' ').Append(noun);
                text.Append(count == 1 ? string.Empty : "s");
            }
        }

        /// <summary>Reads a plan, strictly.</summary>
        /// <exception cref="FormatException">It is none.</exception>
        internal static Plan Read(object tree)
        {
            var fields = Documents.Document.Read<PlanFields>(tree);
            if (fields.Loss == null || fields.Steps == null || fields.Checks == null || !(fields.Request is Dictionary<string, object>))
            {
                throw new FormatException("the plan has no loss, steps, checks or request");
            }
            return new Plan
            {
                document = Json.Ascii(Json.Write(tree)),
                PlanId = fields.PlanId,
                Kind = fields.Kind,
                CreatedAtUtc = fields.CreatedAtUtc,
                SqlInstance = fields.SqlInstance,
                Database = fields.Database,
                PoolFqdn = fields.PoolFqdn,
                Digest = fields.Digest,
                DecisionFacts = fields.DecisionFacts,
                Checks = fields.Checks,
                CanRun = fields.CanRun,
                Loss = fields.Loss,
                ExpectedSeconds = fields.ExpectedSeconds,
                Steps = fields.Steps,
            };
        }
    }

    /// <summary>The members of a plan's document. The request inside is carried, not read.</summary>
    internal sealed class PlanFields
    {
        public int Version { get; set; }

        public string PlanId { get; set; }

        public string Kind { get; set; }

        public DateTime CreatedAtUtc { get; set; }

        public string SqlInstance { get; set; }

        public string Database { get; set; }

        public string PoolFqdn { get; set; }

        public string Digest { get; set; }

        public Dictionary<string, string> DecisionFacts { get; set; }

        public CheckResult[] Checks { get; set; }

        public bool CanRun { get; set; }

        public Loss Loss { get; set; }

        public long? ExpectedSeconds { get; set; }

        public PlannedStep[] Steps { get; set; }

        public object Request { get; set; }
    }
}
