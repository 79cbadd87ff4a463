using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// A host without a screen, for native commands that are asked with -WhatIf in the course of a check: their words on
    /// what would happen belong to no plan of the operator's. It answers no prompt either.
    /// </summary>
    internal sealed class SilentHost : PSHost
    {
        private readonly SilentUI ui = new SilentUI();
        private readonly Guid id = Guid.NewGuid();

        public override string Name
        {
            get { return "PersistentChatFailover"; }
        }

        public override Version Version
        {
            get { return typeof(SilentHost).Assembly.GetName().Version; }
        }

        public override Guid InstanceId
        {
            get { return id; }
        }

        public override PSHostUserInterface UI
        {
            get { return ui; }
        }

        public override CultureInfo CurrentCulture
        {
            get { return CultureInfo.CurrentCulture; }
        }

        public override CultureInfo CurrentUICulture
        {
            get { return CultureInfo.CurrentUICulture; }
        }

        public override void SetShouldExit(int exitCode)
        {
        }

        public override void EnterNestedPrompt()
        {
            throw SilentUI.NoPrompt();
        }

        public override void ExitNestedPrompt()
        {
        }

        public override void NotifyBeginApplication()
        {
        }

        public override void NotifyEndApplication()
        {
        }

        private sealed class SilentUI : PSHostUserInterface
        {
            internal static Exception NoPrompt()
            {
                return new InvalidOperationException("The command asked a question while it was only checked.");
            }

            public override PSHostRawUserInterface RawUI
            {
                get { return null; }
            }

            public override string ReadLine()
            {
                throw NoPrompt();
            }

            public override SecureString ReadLineAsSecureString()
            {
                throw NoPrompt();
            }

            public override void Write(string value)
            {
            }

            public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
            {
            }

            public override void WriteLine(string value)
            {
            }

            public override void WriteErrorLine(string value)
            {
            }

            public override void WriteDebugLine(string message)
            {
            }

            public override void WriteProgress(long sourceId, ProgressRecord record)
            {
            }

            public override void WriteVerboseLine(string message)
            {
            }

            public override void WriteWarningLine(string message)
            {
            }

            public override Dictionary<string, PSObject> Prompt(
                string caption, string message, Collection<FieldDescription> descriptions)
            {
                throw NoPrompt();
            }

            public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName)
            {
                throw NoPrompt();
            }

            public override PSCredential PromptForCredential(
                string caption, string message, string userName, string targetName,
                PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options)
            {
                throw NoPrompt();
            }

            public override int PromptForChoice(
                string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
            {
                throw NoPrompt();
            }
        }
    }
}
