using System;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Where the journal lies, as a document. Its folders are this machine's, seen from the shell's own folder.</summary>
    internal static class JournalPlace
    {
        internal static Dictionary<string, object> Document(PSCmdlet cmdlet, string path, string copyPath, bool noCopy)
        {
            return new Dictionary<string, object>
            {
                { "journal_path", Full(cmdlet, "JournalPath", path) },
                { "journal_copy_path", Full(cmdlet, "JournalCopyPath", copyPath) },
                { "no_journal_copy", noCopy },
            };
        }

        private static object Full(PSCmdlet cmdlet, string parameter, string path)
        {
            if (string.IsNullOrEmpty(path))
            {
                return null;
            }
            try
            {
                return cmdlet.GetUnresolvedProviderPathFromPSPath(path);
            }
            catch (Exception e) when (e is RuntimeException && !(e is PipelineStoppedException) || e is ArgumentException || e is NotSupportedException)
            {
                throw PChatException.BadValue("-" + parameter + " is no folder of this machine: " + e.Message, "Give a path of a local or network folder.");
            }
        }
    }
}
