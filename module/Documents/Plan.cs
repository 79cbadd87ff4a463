using System;
using System.Collections.Generic;
using System.Text;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Documents
{
    /// <summary>A plan: -WhatIf shows it, Invoke-PChatFailover -Plan runs this very one.</summary>
    public sealed class Plan
    {
        private string document;

        /// <summary>The plan's number, new for each plan made.</summary>
        public string PlanId { get; private set; }

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

        /// <summary>The plan's own text, for saving it; Invoke-PChatFailover -PlanPath reads such a file.</summary>
        public string Document
        {
            get { return document; }
        }

        /// <summary>The document as maps and lists, for sending it back unchanged.</summary>
        internal object Tree
        {
            get { return Json.Read(document); }
        }

        /// <summary>The plan in lines: what -WhatIf says before it hands the plan out.</summary>
        internal string Summary
        {
            get
            {
                var text = new StringBuilder();
                text.Append("Fail over ").Append(Database).Append(" to ").Append(SqlInstance);
                foreach (PlannedStep step in Steps)
                {
                    text.AppendLine().Append("  ").Append(step.Number).Append(". ").Append(step.Title);
                }
                return text.AppendLine().Append("  Loss: ").Append(Loss.Text).ToString();
            }
        }

        /// <summary>The question that is asked once.</summary>
        internal string Question
        {
            get { return Summary + Environment.NewLine + "Use -WhatIf to see every statement. Go on?"; }
        }

        internal static Plan Read(object tree)
        {
            var fields = Documents.Document.Read<PlanFields>(tree);
            return new Plan
            {
                document = Json.Write(tree),
                PlanId = fields.PlanId,
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
