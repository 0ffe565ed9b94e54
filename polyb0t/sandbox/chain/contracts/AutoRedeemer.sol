// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Redeems} from "./CollateralAdapters.sol";
import {IToken, Known} from "./Interfaces.sol";
import {PositionManager, Router} from "./ProtocolV2.sol";

/// The venue's operator that redeems for whoever let it: a claim of ours may find that it was there first.
/// What it is asked to redeem and does not find is no error.
contract AutoRedeemer is Redeems {
    function redeemFor(address owner, bytes32 conditionId) external {
        _ofOwner(Known.BRIDGED_USDC, conditionId, owner);
        _ofOwner(Known.WRAPPED_COLLATERAL, conditionId, owner);
    }

    function redeemPositionFor(address owner, bytes31 condition, uint256 outcome) external {
        PositionManager manager = PositionManager(Known.POSITION_MANAGER);
        uint256 position = uint256(uint248(condition)) << 8 | outcome;
        uint256 amount = manager.balanceOf(owner, position);
        if (amount == 0) return;
        uint256 before = Known.PUSD.balanceOf(address(this));
        manager.safeTransferFrom(owner, address(this), position, amount, "");
        manager.setApprovalForAll(Known.ROUTER, true);
        Router(Known.ROUTER).redeem(condition, outcome, amount);
        uint256 paid = Known.PUSD.balanceOf(address(this)) - before;
        if (paid > 0) Known.PUSD.transfer(owner, paid);
    }

    function _ofOwner(IToken underlying, bytes32 conditionId, address owner) private {
        uint256[] memory ids = _positions(underlying, conditionId);
        if (Known.CTF.balanceOf(owner, ids[0]) + Known.CTF.balanceOf(owner, ids[1]) > 0) {
            _redeem(underlying, conditionId, owner);
        }
    }
}
