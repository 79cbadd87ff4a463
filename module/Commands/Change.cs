using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Text;
using PersistentChatFailover.Documents;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>The answer to the one question of a change.</summary>
    internal enum Approval
    {
        Yes,
        No,
        WhatIf,
    }

    /// <summary>
    /// The way of every change: plan, show, ask once, then run what was shown. The operation refuses when it finds
    /// another plan than the approved one.
    /// </summary>
    internal sealed class Change
    {
        private const string NothingChanged = "Stopped while planning; nothing was changed.";

        private readonly PChatCommand command;
        private readonly string caption;

        internal Change(PChatCommand command, string caption)
        {
            this.command = command;
            this.caption = caption;
        }

        /// <summary>True when the caller asked for -WhatIf, or set its preference.</summary>
        internal bool IsWhatIf
        {
            get
            {
                object bound;
                return command.MyInvocation.BoundParameters.TryGetValue("WhatIf", out bound)
                    ? IsTrue(bound)
                    : LanguagePrimitives.IsTrue(command.GetVariableValue("WhatIfPreference"));
            }
        }

        private static bool IsTrue(object bound)
        {
            return bound is SwitchParameter ? ((SwitchParameter)bound).IsPresent : LanguagePrimitives.IsTrue(bound);
        }

        /// <summary>
        /// Asks once. -Force answers it and widens nothing; -Confirm asks all the same. <paramref name="why"/> tells where
        /// there was no way to ask.
        /// </summary>
        internal Approval Ask(string description, string question, out string why)
        {
            why = null;
            object confirm;
            bool asked = command.MyInvocation.BoundParameters.TryGetValue("Confirm", out confirm) && IsTrue(confirm);
            if (command.AnswersYes && !asked && !IsWhatIf)
            {
                return Approval.Yes;
            }
            try
            {
                ShouldProcessReason reason;
                bool approved = command.ShouldProcess(description, question, caption, out reason);
                if ((reason & ShouldProcessReason.WhatIf) != 0)
                {
                    return Approval.WhatIf;
                }
                return approved ? Approval.Yes : Approval.No;
            }
            catch (PipelineStoppedException)
            {
                command.Writer.TellHost("Stopped at the question; nothing was changed.");
                throw;
            }
            catch (Exception e) when (e is InvalidOperationException || e is ArgumentException || e is NotSupportedException)
            {
                if (command.IsStopping)
                {
                    // Ctrl+C at the prompt comes as an argument error.
                    command.Writer.TellHost("Stopped at the question; nothing was changed.");
                    throw new PipelineStoppedException();
                }
                why = e.Message;
                return Approval.No;
            }
        }

        /// <summary>Plans with `plan_only`, asks, and carries out what was approved.</summary>
        internal void Run(string export, Dictionary<string, object> request, RunResult otherwise)
        {
            var planned = new List<object>();
            request["plan_only"] = true;
            Ended plan = command.Operate(new Work(export, request) { AfterStop = NothingChanged, Item = Into(planned) });
            RunResult outlook = Outlook(plan, otherwise);
            if (outlook == null)
            {
                return;
            }
            string why;
            switch (Ask(Description(planned, outlook), Question(planned, outlook), out why))
            {
                case Approval.WhatIf:
                    command.WriteObject(planned, true);
                    return;
                case Approval.No:
                    command.WriteRun(outlook.Declined(why));
                    return;
            }
            request["plan_only"] = false;
            if (request.ContainsKey("approved_digest"))
            {
                request["approved_digest"] = outlook.Digest;
            }
            command.WriteEnd(command.Operate(new Work(export, request) { Changes = true }), otherwise);
        }

        private static Func<object, bool> Into(List<object> items)
        {
            return item =>
            {
                items.Add(item);
                return true;
            };
        }

        /// <summary>What the plan says; null where it ended in another way than with something to do, which is written.</summary>
        private RunResult Outlook(Ended plan, RunResult otherwise)
        {
            if (plan.Failure != null)
            {
                command.WriteEnd(plan, otherwise);
                return null;
            }
            RunResult outlook;
            try
            {
                outlook = plan.As<RunResult>();
            }
            catch (PChatException e)
            {
                command.WriteRun(otherwise.Failed(e.Error));
                return null;
            }
            if (outlook.Error == null && outlook.ExitCode == RunResult.DoneCode)
            {
                return outlook;
            }
            command.WriteRun(outlook);
            return null;
        }

        private static string Description(List<object> planned, RunResult outlook)
        {
            var text = new StringBuilder(outlook.Text);
            foreach (object item in planned)
            {
                var action = item as ActionResult;
                var step = item as StepResult;
                text.Append(Environment.NewLine).Append("  ");
                text.Append(action != null ? action.Statement : step != null ? step.Number + ". " + step.Title + ": " + step.Text : string.Empty);
            }
            return text.ToString();
        }

        private static string Question(List<object> planned, RunResult outlook)
        {
            return outlook.Text + Environment.NewLine + (planned.Count == 1 ? "One action" : planned.Count + " actions") +
                " on " + outlook.SqlInstance + ". Use -WhatIf to see each statement. Go on?";
        }
    }
}
